"""All that the OpenAPI allows, and much that it does not, asked by schemathesis: no 5xx, and answers as described."""

from __future__ import annotations

import contextlib

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from analysis.web.app import create_app
from analysis.web.site import Site

EXAMPLES = 5  # of each endpoint and mode


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_question_makes_it_fail(site: Site, mode: GenerationMode) -> None:
    asked_of: set[str] = set()
    for each in schemathesis.openapi.from_asgi("/api/openapi.json", create_app(site, per_s=0)).get_all_operations():
        operation = each.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def ask(case: schemathesis.Case) -> None:
            answer = case.call()
            asked_of.add(case.path)
            assert answer.status_code < 500, (case.path, answer.text[:300])
            if answer.status_code >= 400:
                told = answer.json()
                assert told["ok"] is False and told["error"]["message"], told
            elif mode is GenerationMode.POSITIVE:
                case.validate_response(answer)

        with contextlib.suppress(Unsatisfiable):  # nothing wrong can be asked of what takes no parameter
            ask()
    assert len(asked_of) >= 20

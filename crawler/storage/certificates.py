"""Why a server's certificate is not trusted: asked anew, because pyOpenSSL, which pymongo takes when it is there,
keeps the reason to itself."""

from __future__ import annotations

import re
import socket
import ssl

HANDSHAKE = re.compile(r"SSL handshake failed: ([\w.-]+):(\d+):.*certificate verify failed")


def why_untrusted(text: str, authority: str | None, timeout_s: float = 3.0) -> str | None:
    """OpenSSL's words, e.g. 'certificate has expired'; None where *text* is about something else.

    text: of pymongo's error; authority: file named by tlsCAFile.
    """
    found = HANDSHAKE.search(text)
    if found is None:
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
        with (
            socket.create_connection((found[1], int(found[2])), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=found[1]),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return None

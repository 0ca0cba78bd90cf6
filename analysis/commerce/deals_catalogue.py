"""Brands and products that were crawled, for reading posts; also where posts are in files and the database is away."""

from __future__ import annotations

import argparse
import sys

import pandas as pd

from analysis.command import About, Near
from analysis.commerce.deals_spans import Catalogue


def crawled(about: About, more_brands: tuple[str, ...] = ()) -> Catalogue:
    found = about("product", ("title", "brand", "vendor"))
    brands = pd.concat([found["brand"], found["vendor"]]).dropna()
    return Catalogue([*map(str, brands), *more_brands], map(str, found["title"].dropna()))


def brands_of(args: argparse.Namespace) -> tuple[str, ...]:
    return tuple(each.strip() for each in (args.brands or "").split(",") if each.strip())


def catalogue_for(args: argparse.Namespace, near: Near) -> Catalogue | None:
    """The crawled one and the brands of --brands, with a line that says so; None where there is neither."""
    named = brands_of(args)
    found = "--no-catalogue" if args.no_catalogue else near(lambda about: crawled(about, named))
    catalogue = Catalogue(named) if isinstance(found, str) else found
    off = f" (the crawled catalogue is not used: {found})" if isinstance(found, str) else ""
    off = off if catalogue or off else " (no product was crawled yet)"
    names = f"{len(catalogue.brands):,} brands and {len(catalogue.titles):,} products" if catalogue else "none"
    sys.stderr.write(f"names known: {names}{off}\n")
    return catalogue or None

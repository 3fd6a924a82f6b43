import pytest
from django.core.cache import cache

from tests.api.cast import Program


@pytest.fixture(autouse=True)
def no_requests_before():
    """What counts requests and unmaskings shall count those of one test."""
    cache.clear()


@pytest.fixture
def operator(db) -> Program:
    return Program("operator")


@pytest.fixture
def auditor(db) -> Program:
    return Program("auditor")

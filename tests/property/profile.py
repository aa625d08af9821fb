"""How property tests run: few examples by default, many with HYPOTHESIS_PROFILE=soak. A failure prints a blob to replay it."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("ci", max_examples=60, derandomize=False, print_blob=True, deadline=None, database=None)
settings.register_profile(
    "soak", max_examples=800, print_blob=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def load() -> None:
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

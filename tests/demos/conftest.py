"""What the tests of verdicts share."""
import argparse

import pytest

from demos.report import Report


@pytest.fixture
def verdicts(tmp_path):
    """verdicts(function, *arguments): {beginning of the claim: verdict} that it arrives at."""
    def decide(function, *arguments, **settings):
        args = argparse.Namespace(seed=0, quick=False, out=str(tmp_path), no_plot=True)
        report = Report("example", args, source="here")
        function(report, *arguments, **settings)
        decide.claims = report.claims
        return [claim["verdict"] for claim in report.claims]
    return decide

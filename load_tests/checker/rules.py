"""Which rules the checker knows."""

from load_tests.checker import conflict, death, disability, income, job, medical, package, rigid
from load_tests.checker.compare import Rule

RULES: dict[str, tuple[Rule, str]] = {
    "MED-SELFPAY": (medical.breaches, "medical.settlement"),
    "RIGID-RATIO": (rigid.breaches, "medical.settlement"),
    "JOB-LOSS": (job.breaches, "employment.contribution"),
    "INCOME-LINE": (income.breaches, "employment.contribution"),
    "DEATH-ON-BENEFIT": (death.breaches, "civil.benefit"),
    "DUPLICATE-CONFLICT": (conflict.breaches, "civil.benefit"),
    "DISAB-SUBSIDY-GAP": (disability.breaches, "civil.benefit"),
    "PACKAGE-GAP": (package.breaches, "medical.enrolment"),
}
"""How each rule is worked out, and the feed without which it ends nothing."""

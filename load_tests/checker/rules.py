"""Which rules the checker knows."""

from load_tests.checker import medical
from load_tests.checker.compare import Rule

RULES: dict[str, Rule] = {
    "MED-SELFPAY": medical.breaches,
}

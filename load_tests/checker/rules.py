"""Which rules the checker knows."""

from load_tests.checker import conflict, death, job, medical, rigid
from load_tests.checker.compare import Rule

RULES: dict[str, Rule] = {
    "MED-SELFPAY": medical.breaches,
    "RIGID-RATIO": rigid.breaches,
    "JOB-LOSS": job.breaches,
    "DEATH-ON-BENEFIT": death.breaches,
    "DUPLICATE-CONFLICT": conflict.breaches,
}

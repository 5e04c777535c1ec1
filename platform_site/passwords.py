"""Password hashing: Argon2id with the parameters of OWASP's cheat sheet."""

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher


class Argon2idHasher(Argon2PasswordHasher):
    """m=19 MiB, t=2, p=1: Django's default takes 100 MiB a sign-in, which fifty people exhaust."""

    memory_cost = 19456
    time_cost = 2
    parallelism = 1


class FastTestHasher(PBKDF2PasswordHasher):
    """One round, for tests that are not about hashing. Named so that no setting takes it by mistake."""

    algorithm = "fast_test"
    iterations = 1

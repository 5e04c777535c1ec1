"""The API kit: what every endpoint shares and none writes again."""

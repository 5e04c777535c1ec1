"""What stored answers add to the platform's catalogues."""

from platform_site.idempotency.store import answer_place
from platform_site.sealed_columns import SealedColumn, sealed_columns

sealed_columns.add(
    SealedColumn(
        key="idempotency.answers",
        model="idempotency.IdempotencyRecord",
        column="answer",
        place=lambda row: answer_place(bytes(row.key_hash)),
        sealed_by="platform_site.idempotency.store.run_once",
    )
)

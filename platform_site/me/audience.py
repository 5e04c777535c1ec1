"""For whom an item is, asked from both sides: by a person's own rights, and in SQL for many people at once.

Both say the same; a test goes through all roles and profiles.
"""

from typing import Final

from django.db.models import Q

from accounts.profiles import SYSTEM_PROFILES
from platform_site.api.identity import Identity
from platform_site.permissions import ROLE_RANKS, permissions

# Beside what has their own name on it.
_ROLES: Final = ", ".join(f"('{role}', {rank})" for role, rank in ROLE_RANKS.items())


def waits_for(asker: Identity) -> Q:
    """Items for this person, open or not."""
    rank = ROLE_RANKS[asker.role]
    roles = [role for role, other in ROLE_RANKS.items() if other <= rank]
    return (
        Q(assignee_id=asker.user_id)
        | Q(assignee=None, role__in=roles)
        | Q(assignee=None, permission__in=sorted(asker.permissions))
    )


def counting_statement() -> str:
    """(user, count) of open items for those of ``%(users)s`` who have any.

    Put together when it is used: only then are all permissions known, and who holds them is code.
    """
    return f"""
SELECT user_id, sum(waiting)::bigint FROM (
    SELECT assignee_id AS user_id, count(*) AS waiting FROM me_storeditem
     WHERE closed_at IS NULL AND assignee_id = ANY(%(users)s::bigint[]) GROUP BY assignee_id
    UNION ALL
    SELECT person.id, count(*)
      FROM me_storeditem AS item
      JOIN accounts_user AS person ON person.id = ANY(%(users)s::bigint[]) AND person.status = 'active'
      JOIN (VALUES {_ROLES}) AS own (role, rank) ON own.role = person.role
      LEFT JOIN (VALUES {_ROLES}) AS needed (role, rank) ON needed.role = item.role
      LEFT JOIN (VALUES {_permissions()}) AS held (permission, number, rank, profiles)
             ON held.permission = item.permission
      LEFT JOIN accounts_customprofile AS custom ON custom.id = person.profile_id AND custom.is_active
     WHERE item.closed_at IS NULL AND item.assignee_id IS NULL
       AND (own.rank >= needed.rank
            OR (held.permission IS NOT NULL AND person.role = 'tenant_admin')
            OR (own.rank >= held.rank
                AND (person.profile_id = ANY(held.profiles) OR held.number = ANY(custom.permissions))))
     GROUP BY person.id) AS parts
 GROUP BY user_id"""  # noqa: S608 - constants of the code


def _permissions() -> str:
    """(key, number, lowest role's rank, system profiles that grant it) of each permission."""
    return ", ".join(
        f"('{one.key}', {one.number}, {ROLE_RANKS[one.min_role]}, ARRAY[{_granting(one.key)}]::int[])"
        for one in permissions
    )


def _granting(key: str) -> str:
    permission = permissions.get(key)
    return ", ".join(str(profile.id) for profile in SYSTEM_PROFILES.values() if profile.grants(permission))

"""What a template may not hold: everything that the snapshot would lose or copy wrongly.

Each query finds one kind of it in the current schema and gives (what it is, why it is refused).
Refusing here means that a mistake stops a deployment, where somebody reads the message, and not
a sign-up.
"""

from django.db import connection

_NOTHING_BUT_TABLES = "the snapshot copies tables only"
_TABLES = "SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"

# Whatever lives in a schema depends on it: functions, types, views, operators, statistics ...
_IN_THE_SCHEMA = f"""
    SELECT pg_describe_object(d.classid, d.objid, d.objsubid), '{_NOTHING_BUT_TABLES}'
    FROM pg_depend d
    LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = current_schema()::regnamespace
      AND c.relkind IS DISTINCT FROM 'r'
      AND NOT EXISTS (
          SELECT FROM pg_depend own
          WHERE c.relkind = 'S' AND own.classid = 'pg_class'::regclass AND own.objid = c.oid
            AND own.refclassid = 'pg_class'::regclass AND own.deptype = 'i'
      )
"""

# Whatever hangs on a table depends on it: triggers, rules, policies, statistics, publications ...
_ON_THE_TABLES = f"""
    SELECT pg_describe_object(d.classid, d.objid, d.objsubid), '{_NOTHING_BUT_TABLES}'
    FROM pg_depend d
    LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN ({_TABLES})
      AND d.classid NOT IN (
          'pg_class'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_type'::regclass
      )
      AND t.tgisinternal IS NOT TRUE
"""

_TABLE_OPTIONS = f"""
    SELECT pg_describe_object('pg_class'::regclass, c.oid, 0), reason
    FROM pg_class c
    JOIN pg_am am ON am.oid = c.relam
    LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
    CROSS JOIN LATERAL (VALUES
        (c.relpersistence <> 'p', 'it is unlogged'),
        (c.relrowsecurity, 'it has row security'),
        (c.relreplident <> 'd', 'it has a replica identity of its own'),
        -- What the owner gives with every table, or takes back from one, the copy gets as well.
        (EXISTS (
            SELECT grantee, privilege_type FROM aclexplode(c.relacl) WHERE grantee <> c.relowner
            EXCEPT
            SELECT given.grantee, given.privilege_type FROM pg_default_acl, aclexplode(defaclacl) AS given
            WHERE defaclrole = c.relowner AND defaclnamespace = 0 AND defaclobjtype = 'r'
        ), 'it has grants of its own'),
        (c.reltablespace <> 0, 'it is in another tablespace'),
        (c.reloptions IS NOT NULL OR toast.reloptions IS NOT NULL, 'it has storage parameters'),
        (am.amname <> 'heap', 'it has another access method'),
        (EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)), 'it inherits')
    ) AS checks (refused, reason)
    WHERE c.oid IN ({_TABLES}) AND refused
"""

_COLUMN_OPTIONS = f"""
    SELECT pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum), reason
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (VALUES
        (t.typnamespace <> 'pg_catalog'::regnamespace, 'its type is none of PostgreSQL''s own'),
        (a.attacl IS NOT NULL, 'it has grants of its own'),
        (a.attoptions IS NOT NULL OR a.attfdwoptions IS NOT NULL, 'it has options'),
        (coalesce(a.attstattarget, -1) >= 0, 'it has a statistics target'),
        (a.attstorage <> t.typstorage, 'it has another storage'),
        (a.attcompression <> '', 'it has a compression of its own')
    ) AS checks (refused, reason)
    WHERE a.attrelid IN ({_TABLES}) AND a.attnum > 0 AND NOT a.attisdropped AND refused
"""

_IDENTITY_OPTIONS = f"""
    SELECT pg_describe_object('pg_class'::regclass, s.seqrelid, 0), 'its options are not the default ones'
    FROM pg_sequence s
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype = 'i'
    WHERE d.refobjid IN ({_TABLES})
      AND (s.seqstart, s.seqincrement, s.seqmin, s.seqcache, s.seqcycle) <> (1, 1, 1, 1, false)
"""

_CONSTRAINTS = f"""
    SELECT pg_describe_object('pg_constraint'::regclass, c.oid, 0), reason
    FROM pg_constraint c
    LEFT JOIN pg_class other ON other.oid = c.confrelid
    LEFT JOIN pg_class own_index ON own_index.oid = c.conindid AND c.contype IN ('p', 'u', 'x')
    CROSS JOIN LATERAL (VALUES
        (c.contype NOT IN ('p', 'u', 'x', 'c', 'f', 'n'), 'it is of an unknown kind'),
        (NOT c.convalidated, 'it is not validated'),
        (own_index.reloptions IS NOT NULL, 'its index has storage parameters'),
        (c.contype = 'f' AND other.relnamespace <> current_schema()::regnamespace, 'it leaves the schema'),
        (c.contype = 'f' AND c.connamespace <> current_schema()::regnamespace, 'it comes from outside')
    ) AS checks (refused, reason)
    WHERE (c.conrelid IN ({_TABLES}) OR c.confrelid IN ({_TABLES})) AND refused
"""

_INDEXES = f"""
    SELECT pg_describe_object('pg_class'::regclass, i.indexrelid, 0), reason
    FROM pg_index i
    CROSS JOIN LATERAL (VALUES
        (NOT i.indisvalid, 'it is not valid: building it was broken off'),
        (i.indisclustered, 'the table is clustered by it')
    ) AS checks (refused, reason)
    WHERE i.indrelid IN ({_TABLES}) AND refused
"""

_COMMENTS = f"""
    SELECT pg_describe_object(d.classoid, d.objoid, d.objsubid), 'it has a comment'
    FROM pg_description d
    WHERE (d.classoid = 'pg_class'::regclass AND (
              d.objoid IN ({_TABLES})
              OR d.objoid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN ({_TABLES}))
          ))
       OR (d.classoid = 'pg_constraint'::regclass
           AND d.objoid IN (SELECT oid FROM pg_constraint WHERE conrelid IN ({_TABLES})))
"""

_QUERIES = (
    _IN_THE_SCHEMA,
    _ON_THE_TABLES,
    _TABLE_OPTIONS,
    _COLUMN_OPTIONS,
    _IDENTITY_OPTIONS,
    _CONSTRAINTS,
    _INDEXES,
    _COMMENTS,
)


def refusals() -> list[str]:
    """What the snapshot cannot copy of the current schema, one sentence each."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for query in _QUERIES:
            cursor.execute(query)
            found += [f"{what}: {why}." for what, why in cursor.fetchall()]
    return found

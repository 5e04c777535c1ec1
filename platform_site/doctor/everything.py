"""The catalogue with the platform's own examinations in it, beside those that apps added when they were loaded."""

from platform_site.doctor import database, keys, mail, roles, site, tenants, valkey, work
from platform_site.doctor.catalog import examinations

for _module in (site, keys, database, roles, valkey, work, tenants, mail):
    for _examination in _module.EXAMINATIONS:
        examinations.add(_examination)

everything = examinations

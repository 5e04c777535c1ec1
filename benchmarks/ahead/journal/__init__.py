"""The journal's own migrations, and behind them that of this folder."""

from platform_site.journal import migrations

__path__ = [*migrations.__path__, *__path__]

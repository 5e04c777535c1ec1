"""Calling a service of REST from a socket: in a thread, bound, in the same words.

Sockets write little: up to where somebody has read. The rules of that are a
service's, so the service is called; a small pool of threads keeps a slow query
from anybody's deliveries.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from functools import partial
from typing import Any, Final, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

from platform_site.binding import bind
from platform_site.context import WorkContext, work_context
from platform_site.errors import PlatformError
from platform_site.realtime.ports import Person
from platform_site.realtime.protocol import Refused, away

Result = TypeVar("Result")

THREADS: Final = 2
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="socket")


async def call_service(person: Person, service: Callable[..., Result], **arguments: Any) -> Result:
    """What ``service`` gives, inside the person's tenant. Its ``PlatformError`` becomes ``Refused``, with its code."""
    work = partial(Context().run, _bound_call, person, service, arguments)
    return await asyncio.get_running_loop().run_in_executor(_pool, work)


def _bound_call(person: Person, service: Callable[..., Result], arguments: dict[str, Any]) -> Result:
    close_old_connections()
    try:
        with work_context(WorkContext(origin="socket", actor_id=person.user_uuid)), bind(person.tenant):
            return service(**arguments)
    except PlatformError as error:
        raise Refused(error.code.key, error.message, ours=error.code.status >= 500) from None
    except (OperationalError, InterfaceError):
        raise away() from None
    finally:
        close_old_connections()

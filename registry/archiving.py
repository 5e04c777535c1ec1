"""Records that were erased are erased again after a restore."""

from platform_site.archiving import ErasureReplay, erasure_replays
from registry.services.erasing import entity_erase_again

erasure_replays.add(ErasureReplay("entity", entity_erase_again))

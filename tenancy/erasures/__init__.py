"""Who was erased in which tenant, by ids alone: what a restore from an older backup has to erase again."""

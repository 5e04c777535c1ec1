"""The tenant lens: staff's admin of one tenant, at ``/admin/t/<slug>/``, in that tenant's schema and nothing else."""

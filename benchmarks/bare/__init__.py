"""The smallest Django that asks PostgreSQL something: what a worker's memory is held against."""

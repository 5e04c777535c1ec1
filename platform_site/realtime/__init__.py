"""One socket per client, one subscription per tenant and process, one prepared frame per message."""

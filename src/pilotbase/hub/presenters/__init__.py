"""What pages and API show alike: records, figures, certificates and addresses, as the actor sees them."""

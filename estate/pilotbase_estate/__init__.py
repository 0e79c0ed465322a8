"""The computing estate: pools, placing, sharing, queue, vouchers, replay and cluster engines of Pilotbase."""

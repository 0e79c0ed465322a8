"""Computing power: who provides it, who gets it and in which order, who pays, and the box for strangers' code.

box        one isolated program, the environments that it runs in, archives and spreadsheets of strangers
engines    where boxes are opened: this machine, or a cluster
backends   attempts of jobs: local processes, Ray, manifests for Kubernetes
sharing, placing, replay: pure; who may run, on which machine, what another policy would have done
queue      jobs that survive the death of any process
vouchers   means of payment
"""

"""Computing power: who gives it, who gets it and in which order, who pays, and the box that strangers' code runs in.

box        one program shut in, the environments that it runs in, archives and spreadsheets of strangers
engines    where boxes are opened: this machine, or a cluster
backends   attempts of jobs: local processes, Ray, manifests for Kubernetes
sharing, placing, replay: pure; who may run, on which machine, what another policy would have done
queue      jobs that survive whatever is killed
vouchers   what pays
"""

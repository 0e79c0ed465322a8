"""Placing: on which node of a pool a job runs, decided over arrays and without a clock.

fleet.Fleet.of(nodes) -> Fleet             what each node has, and what of it is free; `take`, `give_back`
fleet.read_ask(demand) -> NodeDemand       raises InputError (two kinds of GPU at once)
fleet.FirstFitPolicy | Random | BestFit, fgd.FragmentationDescent   .choose(fleet, ask) -> Spot | None
fgd.Fragmentation(kinds)                   what is free but useless to the jobs that usually come
"""

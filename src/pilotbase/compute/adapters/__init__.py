"""How applications of other forms than a Python folder are loaded: one stand-alone module a form, run in the box.

registry    `adapter_of(runtime) -> Adapter | None`    the module's file, what it needs, what to install

A module names its form (`RUNTIME`), the distributions that it needs (`NEEDS`) and the extra of Pilotbase that brings
them (`EXTRA`), and defines ``load(given) -> predict``. `runner` loads it in the box instead of a supplier's entry point
and passes on what ``predict(batch)`` returns; batches, answers, limits and reasons are the same for every form. It uses
the standard library, and what it needs inside its functions only: outside the box nothing but its constants is read.
One that hands over to others names them (`NEIGHBOURS`): they lie beside it.

``given`` is `runner.RunnerInput`: the folder, the form as the manifest says, features with their types, the answer's
kind and classes, threads; ``given.refused(reason, words)`` makes the exception that ends the run with a reason of its
own.
"""

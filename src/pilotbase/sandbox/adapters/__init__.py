"""How applications of other forms than a Python folder are loaded: one stand-alone module a form, run in the box.

registry    `adapter_of(runtime) -> Adapter | None`    the module's file, what it needs, what to install

A module names its form (`RUNTIME`), the distributions that it needs (`NEEDS`) and the extra of Pilotbase that installs
them (`EXTRA`), and defines ``load(given) -> predict``. `runner` loads it in the box instead of a supplier's entry point
and passes on the result of ``predict(batch)``; batches, answers, limits and reasons are the same for every form. It
uses the standard library, and imports its needs only inside its functions: outside the box only its constants are read.
A module that uses others names them (`NEIGHBOURS`): they are beside it in the box.

``given`` is `runner.RunnerInput`: the folder, the form from the manifest, features with their types, the answer's kind
and classes, threads; ``given.refused(reason, words)`` makes the exception that ends the run with a reason of its own.
"""

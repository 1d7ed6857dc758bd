"""What reads the units of a run: this process, or worker processes.

An engine is a function of a sequence of units, see `pipelines.batch.units`, whose `read` is that of this
process. For each unit it yields once, in any order and as soon as it is known:

    (unit, route, result or TriscribeError, seconds)

The unit is the very object that was given, and the route is the one of its routes that was taken. The numbers
in a result are the same whichever engine reads, with however many workers, and whatever else is read beside
it. Engines write nothing below the output folder: the run writes outputs and journal, from one process. A run
closes the generator when it ends early; nothing that the engine started is left then.

An engine may have methods `warm`, called when it is likely that something will be read, and `cool`, called
after that, whether something was read or not.
"""

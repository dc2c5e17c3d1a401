"""The commands of `./lab`, a module each: docstring, EXAMPLES, arguments() and run()."""

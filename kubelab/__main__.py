"""`python -m kubelab` is what the shim `lab` hands over to."""

from kubelab.cli import main

raise SystemExit(main())

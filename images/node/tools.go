//go:build tools

// Package node pins what is built beside the multi-call binary: programs
// whose code lives in a package main, so that nothing can import it.
package node

import (
	_ "github.com/rancher/local-path-provisioner"
	_ "sigs.k8s.io/cri-tools/cmd/crictl"
)

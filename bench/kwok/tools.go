//go:build tools

// Package kwok pins the program that plays the kubelet of bench/simulated.py.
package kwok

import _ "sigs.k8s.io/kwok/cmd/kwok"

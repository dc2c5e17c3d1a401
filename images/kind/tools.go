//go:build tools

// Package kind pins the kind command and the node files that its module holds.
package kind

import _ "sigs.k8s.io/kind"

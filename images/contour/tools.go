//go:build tools

// Package contour pins the version of Contour that the build path compiles.
package contour

import _ "github.com/projectcontour/contour/cmd/contour"

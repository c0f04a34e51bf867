module github.com/wtsim/wtsim/interop

go 1.26.0

//go:build !go1.27

#include "textflag.h"

// func currentM() unsafe.Pointer
TEXT ·currentM(SB), NOSPLIT, $0-8
	MOVD 48(g), R0 // g.m
	MOVD R0, ret+0(FP)
	RET

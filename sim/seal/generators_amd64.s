//go:build !go1.27

#include "textflag.h"

// func currentM() unsafe.Pointer
TEXT ·currentM(SB), NOSPLIT, $0-8
	MOVQ (TLS), AX  // g
	MOVQ 48(AX), AX // g.m
	MOVQ AX, ret+0(FP)
	RET

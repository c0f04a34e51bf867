//go:build !linux

package run

import "errors"

func processUsage(int) (usage, error) { return usage{}, errors.ErrUnsupported }

package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Kubernetes is a job as an indexed job of Kubernetes 1.29 or later. Its indices are
// all from 0 to the last of the tasks.
type Kubernetes struct {
	Job
	Image  string // in which the program is
	Claim  string // the claim of the volume with the results
	Folder string // where it is mounted; an absolute path
}

// object is a JSON object.
type object = map[string]any

var (
	notInNames = regexp.MustCompile(`[^a-z0-9]+`)
	claimName  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
)

// Manifest returns the manifest of the job, in JSON. A task that fails is not run
// again, and does not end the others; one whose node is taken away is.
func (k *Kubernetes) Manifest() ([]byte, error) {
	switch {
	case len(k.Tasks) == 0:
		return nil, errors.New("no task is left to submit")
	case k.Image == "":
		return nil, errors.New("no image is given; expected one with this program")
	case len(k.Claim) > 253 || !claimName.MatchString(k.Claim):
		return nil, fmt.Errorf("%q is no name of a volume claim; expected lower-case letters, digits, dots and hyphens", k.Claim)
	case !strings.HasPrefix(k.Folder, "/") || strings.Contains(k.Folder, ":"):
		return nil, fmt.Errorf("%q is no folder to mount a volume at; expected an absolute path without colons", k.Folder)
	}
	name := "wtsim-" + notInNames.ReplaceAllString(strings.ToLower(k.Name), "-")
	name = strings.Trim(name[:min(len(name), 50)], "-") // pods add an index and five letters, to 63
	resources := object{"requests": object{"cpu": "1"}}
	if k.Memory > 0 {
		memory := fmt.Sprint(k.memory())
		resources["requests"] = object{"cpu": "1", "memory": memory}
		resources["limits"] = object{"memory": memory}
	}
	pod := object{
		"restartPolicy": "Never",
		"containers": []object{{
			"name": "wtsim", "image": k.Image, "command": k.Command, "workingDir": k.Folder, "resources": resources,
			"volumeMounts": []object{{"name": "results", "mountPath": k.Folder}},
		}},
		"volumes": []object{{"name": "results", "persistentVolumeClaim": object{"claimName": k.Claim}}},
	}
	if k.Wall > 0 {
		pod["activeDeadlineSeconds"] = int64(k.wall().Seconds())
	}
	tasks := k.Tasks[len(k.Tasks)-1] + 1
	spec := object{
		"completionMode": "Indexed", "completions": tasks, "parallelism": tasks, "backoffLimitPerIndex": 0,
		"podFailurePolicy": object{"rules": []object{{
			"action": "Ignore", "onPodConditions": []object{{"type": "DisruptionTarget", "status": "True"}},
		}}},
		"template": object{"spec": pod},
	}
	if k.Parallel > 0 {
		spec["parallelism"] = k.Parallel
	}
	text, err := json.MarshalIndent(object{
		"apiVersion": "batch/v1", "kind": "Job", "metadata": object{"name": name}, "spec": spec,
	}, "", "  ")
	return append(text, '\n'), err
}

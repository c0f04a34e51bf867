// Package schematest holds manifests of package cluster against the types of Kubernetes.
package schematest

import (
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/wtsim/wtsim/sweep/cluster"
)

func TestAManifestIsAnIndexedJobOfKubernetes(t *testing.T) {
	k := cluster.Kubernetes{
		Job: cluster.Job{
			Name: "Some_study", Command: []string{"wtsim", "sweep", "study.toml"}, Tasks: []int{0, 1, 99}, Parallel: 8,
			Wall: 10 * time.Minute, Memory: 2_000_000_000,
		},
		Image: "example.org/wtsim:1", Claim: "results", Folder: "/results",
	}
	text, err := k.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var job batchv1.Job
	if err := yaml.UnmarshalStrict(text, &job); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	spec, pod := job.Spec, job.Spec.Template.Spec
	if job.APIVersion != "batch/v1" || job.Kind != "Job" || job.Name != "wtsim-some-study" {
		t.Errorf("%s %s %s", job.APIVersion, job.Kind, job.Name)
	}
	if *spec.CompletionMode != batchv1.IndexedCompletion || *spec.Completions != 100 || *spec.Parallelism != 8 || *spec.BackoffLimitPerIndex != 0 {
		t.Errorf("%+v", spec)
	}
	rule := spec.PodFailurePolicy.Rules[0]
	if rule.Action != batchv1.PodFailurePolicyActionIgnore || rule.OnPodConditions[0].Type != corev1.DisruptionTarget || rule.OnPodConditions[0].Status != corev1.ConditionTrue {
		t.Errorf("%+v", rule)
	}
	c := pod.Containers[0]
	if pod.RestartPolicy != corev1.RestartPolicyNever || *pod.ActiveDeadlineSeconds != 660 || c.Image != k.Image || !slices.Equal(c.Command, k.Command) {
		t.Errorf("%+v", pod)
	}
	if limit := c.Resources.Limits.Memory().Value(); limit != 2_256_000_000 || c.Resources.Requests.Cpu().Value() != 1 {
		t.Errorf("%+v", c.Resources)
	}
	if c.VolumeMounts[0].Name != pod.Volumes[0].Name || c.VolumeMounts[0].MountPath != "/results" || pod.Volumes[0].PersistentVolumeClaim.ClaimName != "results" {
		t.Errorf("%+v, %+v", c.VolumeMounts, pod.Volumes)
	}
}

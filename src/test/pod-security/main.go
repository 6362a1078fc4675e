// Judges the pods among objects of Kubernetes, YAML documents on standard input, by the level restricted of the Pod
// Security Standards. Prints a line for each; ends with 1 when one is refused, and with 2 when there is none.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	documents "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

func main() {
	pods, allowed, err := judge(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pod-security:", err)
		os.Exit(2)
	}
	if pods == 0 {
		fmt.Fprintln(os.Stderr, "pod-security: no pod among the objects")
		os.Exit(2)
	}
	if !allowed {
		os.Exit(1)
	}
}

func judge(input io.Reader) (pods int, allowed bool, err error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return 0, false, err
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	allowed = true
	reader := documents.NewYAMLReader(bufio.NewReader(input))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return pods, allowed, nil
		}
		if err != nil {
			return pods, false, err
		}
		name, template, err := podOf(document)
		if err != nil {
			return pods, false, err
		}
		if template == nil {
			continue
		}
		pods++
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec))
		if result.Allowed {
			fmt.Println(name, "is restricted")
		} else {
			fmt.Println(name, "is not restricted:", result.ForbiddenDetail())
			allowed = false
		}
	}
}

// The pod that an object is or makes, and the object's kind and name; nil where it makes none.
func podOf(document []byte) (string, *corev1.PodTemplateSpec, error) {
	var object struct {
		metav1.TypeMeta
		Metadata metav1.ObjectMeta
	}
	if err := yaml.Unmarshal(document, &object); err != nil {
		return "", nil, err
	}
	name := object.Kind + " " + object.Metadata.Name
	switch object.Kind {
	case "Deployment":
		var o appsv1.Deployment
		return name, &o.Spec.Template, yaml.Unmarshal(document, &o)
	case "StatefulSet":
		var o appsv1.StatefulSet
		return name, &o.Spec.Template, yaml.Unmarshal(document, &o)
	case "DaemonSet":
		var o appsv1.DaemonSet
		return name, &o.Spec.Template, yaml.Unmarshal(document, &o)
	case "Job":
		var o batchv1.Job
		return name, &o.Spec.Template, yaml.Unmarshal(document, &o)
	case "CronJob":
		var o batchv1.CronJob
		return name, &o.Spec.JobTemplate.Spec.Template, yaml.Unmarshal(document, &o)
	case "Pod":
		var o corev1.Pod
		err := yaml.Unmarshal(document, &o)
		return name, &corev1.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}, err
	}
	return name, nil, nil
}

package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/internal/program"
	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sweep"
	"github.com/wtsim/wtsim/sweep/cluster"
)

// clusterFlags are the flags with which a cluster does a sweep.
type clusterFlags struct {
	submit, image, claim, program string
	options                       []string
	parallel                      int
}

// The engines of clusters.
const (
	slurm      = "slurm"
	kubernetes = "kubernetes"
)

// claimFolder is where the volume with the results is mounted if --out does not say.
const claimFolder = "/results"

func (f *clusterFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.submit, "submit", "", "have an `engine` of clusters run what is missing: slurm, which is followed until all is done,\nor kubernetes, for which a manifest is printed; with --dry-run print the job script")
	flags.IntVar(&f.parallel, "parallel", 0, "run at most `N` tasks at once on a cluster")
	flags.StringArrayVar(&f.options, "slurm-option", nil, "another `option` of sbatch, such as --partition=long; may be repeated")
	flags.StringVar(&f.image, "image", "", "`image` that has this program as wtsim, for kubernetes")
	flags.StringVar(&f.claim, "claim", "", "`name` of the claim of a volume with the study, mounted at --out (default "+claimFolder+"), for kubernetes")
	flags.StringVar(&f.program, "program", "", "do nothing unless this program has this `SHA-256`; jobs of clusters say so")
}

// check finds mistakes in the flags.
func (f *clusterFlags) check(cmd *cobra.Command) error {
	switch {
	case !slices.Contains([]string{"", slurm, kubernetes}, f.submit):
		return fmt.Errorf("--submit is %q; expected slurm or kubernetes", f.submit)
	case f.parallel < 0 || f.parallel == 0 && cmd.Flags().Changed("parallel"):
		return fmt.Errorf("--parallel is %d; expected at least 1", f.parallel)
	case f.parallel > 0 && f.submit == "":
		return errors.New("--parallel is for --submit; on one machine --jobs says how many runs there are at once")
	case len(f.options) > 0 && f.submit != slurm:
		return errors.New("--slurm-option is for --submit slurm")
	case (f.image != "" || f.claim != "") && f.submit != kubernetes:
		return errors.New("--image and --claim are for --submit kubernetes")
	case f.submit == kubernetes && (f.image == "" || f.claim == ""):
		return errors.New("--submit kubernetes needs an --image with this program and a --claim of a volume")
	}
	for _, o := range f.options {
		if !strings.HasPrefix(o, "-") {
			return fmt.Errorf("--slurm-option is %q; expected an option of sbatch, such as --partition=long", o)
		}
	}
	if f.program == "" {
		return nil
	}
	own, err := program.Open()
	if err != nil {
		return err
	}
	if digest := hex.EncodeToString(own.Digest[:]); digest != f.program {
		return fmt.Errorf("this program has the SHA-256 %s; expected %s, with which the job was made: their results do not belong together", digest, f.program)
	}
	return nil
}

// notOfTasks are flags that a task does not get from the command that submits it.
var notOfTasks = []string{"submit", "parallel", "slurm-option", "image", "claim", "program", "out", "dry-run", "jobs", "json", "quiet", "no-figures"}

// taskArguments returns the arguments of a command that does a task of the same study.
func (f *clusterFlags) taskArguments(cmd *cobra.Command, path, out string) ([]string, error) {
	own, err := program.Open()
	if err != nil {
		return nil, err
	}
	args := []string{"sweep", path}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		switch list, ok := flag.Value.(pflag.SliceValue); {
		case slices.Contains(notOfTasks, flag.Name):
		case ok:
			for _, value := range list.GetSlice() {
				args = append(args, "--"+flag.Name+"="+value)
			}
		default:
			args = append(args, "--"+flag.Name+"="+flag.Value.String())
		}
	})
	return append(args, "--out="+out, "--program="+hex.EncodeToString(own.Digest[:]), "--task=auto"), nil
}

// job returns the job of some of a study's tasks.
func job(study *sweep.Study, parallel int, tasks []int, command ...string) cluster.Job {
	largest, _ := study.Task(0)
	return cluster.Job{
		Name: run.Slug(study.Name), Command: command, Tasks: tasks, Parallel: parallel,
		Wall: time.Duration(len(largest)) * study.Limits.Wall, Memory: study.Limits.Memory,
	}
}

// printManifest prints the job of a study for Kubernetes.
func (f *sweepFlags) printManifest(cmd *cobra.Command, study *sweep.Study, path string) error {
	folder := claimFolder
	if cmd.Flags().Changed("out") {
		folder = f.out
	}
	args, err := f.taskArguments(cmd, path, folder)
	if err != nil {
		return err
	}
	k := cluster.Kubernetes{
		Job:   job(study, f.parallel, []int{study.Tasks() - 1}, append([]string{"wtsim"}, args...)...),
		Image: f.image, Claim: f.claim, Folder: folder,
	}
	text, err := k.Manifest()
	if err != nil {
		return &usageError{cmd, err}
	}
	_, err = cmd.OutOrStdout().Write(text)
	return err
}

// script returns the job script of those tasks of a study that are missing.
func (f *sweepFlags) script(cmd *cobra.Command, store *sweep.Store, path string, tasks []int) (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	folder, err := filepath.Abs(store.Folder())
	if err != nil {
		return "", err
	}
	args, err := f.taskArguments(cmd, path, f.out)
	if err != nil {
		return "", err
	}
	s := cluster.Slurm{
		Job:       job(store.Study, f.parallel, tasks, append([]string{own}, args...)...),
		Directory: here, Logs: filepath.Join(folder, "logs"), Options: f.options,
	}
	text, err := s.Script()
	if err != nil {
		err = &usageError{cmd, err}
	}
	return text, err
}

// submitSlurm has Slurm do what is missing of a study, waits for it, and collects the
// results. A job of the study that is still under way is followed instead.
func (f *sweepFlags) submitSlurm(cmd *cobra.Command, store *sweep.Store, path string) error {
	tasks, missing := store.Missing()
	if missing == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "all runs have results; nothing is submitted")
		return f.collect(cmd, store)
	}
	text, err := f.script(cmd, store, path, tasks)
	if err != nil {
		return err
	}
	if f.plain {
		_, err := io.WriteString(cmd.OutOrStdout(), text)
		return err
	}
	ctx := cmd.Context()
	id, err := f.submitOnce(ctx, cmd.ErrOrStderr(), store, text, tasks, missing)
	if err != nil {
		return &inputError{err}
	}
	shown := &jobProgress{out: cmd.ErrOrStderr(), quiet: f.quiet || f.json, store: store, missing: missing, began: time.Now()}
	if err := cluster.Follow(ctx, id, 5*time.Second, shown.report); err != nil {
		goesOn := fmt.Sprintf("job %s goes on; the same command follows it again, --merge collects what there is, and 'scancel %s' ends it", id, id)
		if ctx.Err() != nil {
			return &interruption{"interrupted; " + goesOn}
		}
		return &inputError{fmt.Errorf("%w\n%s", err, goesOn)}
	}
	if _, missing = store.Missing(); missing > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "wtsim: job %s has ended; %s without a result. What the tasks printed is in %s; the same command submits them again\n",
			id, quantity.Count(missing, "run"), filepath.Join(store.Folder(), "logs", id+"_*.log"))
	}
	return f.mergeTasks(cmd, store)
}

// submitOnce returns the job of a study that is under way, or submits one.
func (f *sweepFlags) submitOnce(ctx context.Context, said io.Writer, store *sweep.Store, script string, tasks []int, missing int) (string, error) {
	file := filepath.Join(store.Folder(), "slurm.job")
	if text, err := os.ReadFile(file); err == nil {
		id := strings.TrimSpace(string(text))
		state, err := cluster.Queue(ctx, id)
		switch {
		case err != nil:
			return "", fmt.Errorf("cannot tell whether job %s of this study, named in %s, is still under way: %w", id, file, err)
		case state.Left() > 0:
			fmt.Fprintf(said, "job %s of this study is still under way; nothing is submitted\n", id)
			return id, nil
		}
	}
	if err := os.MkdirAll(filepath.Join(store.Folder(), "logs"), 0o777); err != nil {
		return "", err
	}
	put := func(path, text string) error {
		_, err := wholefile.Write(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		return err
	}
	path := filepath.Join(store.Folder(), "slurm.sh")
	if err := put(path, script); err != nil {
		return "", err
	}
	id, err := cluster.Submit(ctx, path)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(said, "job %s: %s with %s\n", id, quantity.Count(len(tasks), "task"), quantity.Count(missing, "run"))
	return id, put(file, id+"\n")
}

// jobProgress prints a line when the state of a job has changed, at most every 5 s.
type jobProgress struct {
	out     io.Writer
	quiet   bool
	store   *sweep.Store
	missing int // at the beginning
	began   time.Time
	last    string
	printed time.Time
}

func (p *jobProgress) report(s cluster.State) {
	if p.quiet || time.Since(p.printed) < 5*time.Second && s.Left() > 0 {
		return
	}
	all := p.store.Study.Runs()
	present, failed, err := p.store.Count()
	if err != nil {
		return // the next time may do; what is kept is read at the end in any case
	}
	missing := all - present
	line := fmt.Sprintf("%d of %d runs done, %d failed; tasks: %d running, %d waiting", present, all, failed, s.Running, s.Waiting)
	if s.Restarted > 0 {
		line += fmt.Sprintf(", %d started again by Slurm", s.Restarted)
	}
	if line == p.last {
		return
	}
	p.last, p.printed = line, time.Now()
	if done := p.missing - missing; done > 0 && missing > 0 {
		line += fmt.Sprintf(", about %v left", time.Duration(float64(time.Since(p.began))*float64(missing)/float64(done)).Round(time.Second))
	}
	fmt.Fprintln(p.out, line)
}

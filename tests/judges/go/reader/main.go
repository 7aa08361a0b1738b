// Reader verifies a log over HTTP with the note of golang.org/x/mod and the client of filippo.io/torchwood.
//
// Every entry is compared with the facts given and proven to be under the newest checkpoint; every head kept earlier is
// proven to be of the same log. Exit 1: something does not hold, or could not be read.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	patience = 5 * time.Minute
	maxFact  = 1 << 16
)

// What was verified, for the judge.
type report struct {
	Facts, Heads, Proofs int
}

type reader struct {
	source *resources
	client *torchwood.Client
	policy torchwood.Policy
}

func main() {
	log.SetFlags(0)
	address := flag.String("log", "", "address of the log")
	token := flag.String("token", "", "file of the auditor's token")
	key := flag.String("key", "", "verifier key, Ed25519")
	second := flag.String("second-key", "", "verifier key, ML-DSA-44: both must have signed")
	facts := flag.String("facts", "", "file of the log's facts, one a line")
	every := flag.Int64("proofs-every", 16, "ask for the tlog-proof of each so many facts")
	change := flag.String("change", "", "change a byte of the resources whose path begins so")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reading, err := newReader(*address, *token, *key, *second, *change)
	fatal(err)
	told, err := reading.verify(ctx, *facts, *every, flag.Args())
	fatal(err)
	fatal(json.NewEncoder(os.Stdout).Encode(told))
}

func fatal(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func newReader(address, tokenFile, key, second, change string) (*reader, error) {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	both, err := torchwood.NewCosignatureVerifier(second)
	if err != nil {
		return nil, err
	}
	web := &http.Client{Timeout: time.Minute, Transport: bearer{string(token), http.DefaultTransport}}
	fetcher, err := torchwood.NewTileFetcher(address, torchwood.WithHTTPClient(web))
	if err != nil {
		return nil, err
	}
	source := &resources{TileFetcher: fetcher, change: change, kept: map[string][]byte{}}
	client, err := torchwood.NewClient(source)
	policy := torchwood.ThresholdPolicy(3, torchwood.OriginPolicy(verifier.Name()),
		torchwood.SingleVerifierPolicy(verifier), torchwood.SingleVerifierPolicy(both))
	return &reader{source, client, policy}, err
}

// verify checks the log under its newest checkpoint against the facts and the files of kept heads.
func (r *reader) verify(ctx context.Context, facts string, every int64, kept []string) (told report, err error) {
	newest, err := r.checkpoint(r.source.ReadEndpoint(ctx, "checkpoint"))
	if err != nil {
		return told, fmt.Errorf("the newest checkpoint: %w", err)
	}
	if told.Facts, err = r.entries(ctx, newest, facts); err != nil {
		return told, fmt.Errorf("entries: %w", err)
	}
	heads := []tlog.Tree{}
	for _, file := range kept {
		head, err := r.checkpoint(os.ReadFile(file))
		if err != nil {
			return told, fmt.Errorf("the head %s: %w", file, err)
		}
		heads = append(heads, head)
	}
	told.Heads = len(heads)
	if err = r.grown(ctx, append(heads, newest)); err != nil {
		return told, fmt.Errorf("consistency: %w", err)
	}
	told.Proofs, err = r.inclusion(ctx, newest, every)
	return told, err
}

// checkpoint opens a signed note and reads the tree of it.
func (r *reader) checkpoint(signed []byte, err error) (tlog.Tree, error) {
	if err != nil {
		return tlog.Tree{}, err
	}
	checkpoint, _, err := torchwood.VerifyCheckpoint(signed, r.policy)
	return checkpoint.Tree, err
}

// entries compares each entry, which the client verifies against the tiles, with a line of the file.
func (r *reader) entries(ctx context.Context, newest tlog.Tree, file string) (int, error) {
	opened, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer opened.Close()
	lines := bufio.NewScanner(opened)
	lines.Buffer(nil, maxFact)
	count := 0
	for index, entry := range r.client.AllEntries(ctx, newest, 0) {
		if !lines.Scan() || !bytes.Equal(lines.Bytes(), entry) {
			return count, fmt.Errorf("entry %d is not the fact of the file", index)
		}
		count++
	}
	if err := r.client.Err(); err != nil {
		return count, err
	}
	if int64(count) != newest.N {
		return count, fmt.Errorf("%d entries, the checkpoint says %d", count, newest.N)
	}
	return count, nil
}

// grown proves of each two heads, by the tiles and by the served proof, that the smaller is the beginning of the larger.
func (r *reader) grown(ctx context.Context, heads []tlog.Tree) error {
	slices.SortFunc(heads, func(one, other tlog.Tree) int { return int(one.N - other.N) })
	for at, later := range heads {
		for _, earlier := range heads[:at] {
			if err := r.consistent(ctx, earlier, later); err != nil {
				return fmt.Errorf("%d to %d: %w", earlier.N, later.N, err)
			}
		}
	}
	return nil
}

func (r *reader) consistent(ctx context.Context, earlier, later tlog.Tree) error {
	made, err := tlog.ProveTree(later.N, earlier.N, torchwood.TileHashReaderWithContext(ctx, later, r.source))
	if err != nil {
		return err
	}
	served, err := r.served(ctx, earlier.N, later.N)
	if err != nil {
		return err
	}
	for _, proof := range []tlog.TreeProof{made, served} {
		if err := tlog.CheckTree(proof, later.N, later.Hash, earlier.N, earlier.Hash); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) served(ctx context.Context, from, to int64) (tlog.TreeProof, error) {
	body, err := r.source.ReadEndpoint(ctx, fmt.Sprintf("consistency?from=%d&to=%d", from, to))
	if err != nil {
		return nil, err
	}
	var told struct{ Hashes []tlog.Hash }
	return told.Hashes, json.Unmarshal(body, &told)
}

// inclusion proves each entry from the tiles, and some by the tlog-proof that is served; how many these were.
func (r *reader) inclusion(ctx context.Context, newest tlog.Tree, every int64) (int, error) {
	proofs := 0
	for index := range newest.N {
		entry, _, err := r.client.Entry(ctx, newest, index)
		if err != nil {
			return proofs, fmt.Errorf("inclusion of entry %d: %w", index, err)
		}
		if index%every != 0 {
			continue
		}
		proof, err := r.source.ReadEndpoint(ctx, fmt.Sprintf("proof/%d", index+1))
		if err != nil {
			return proofs, err
		}
		if err := torchwood.VerifyProof(r.policy, tlog.RecordHash(entry), proof); err != nil {
			return proofs, fmt.Errorf("the proof of fact %d: %w", index+1, err)
		}
		if err := sameIndex(proof, index); err != nil {
			return proofs, err
		}
		proofs++
	}
	return proofs, nil
}

// sameIndex: torchwood.VerifyProof does not tell which index it verified.
func sameIndex(proof []byte, index int64) error {
	if want := fmt.Sprintf("\nindex %d\n", index); !strings.Contains(string(proof), want) {
		return fmt.Errorf("the proof of fact %d names another index", index+1)
	}
	return nil
}

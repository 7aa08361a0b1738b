// Trees compares roots and proofs with those of github.com/transparency-dev/merkle.
//
// It reads one case a line from standard input and writes one verdict a line: what differs, empty for nothing. The i-th
// entry of the tree is the decimal number i.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
)

const maxLine = 1 << 20

var hasher = rfc6962.DefaultHasher

// A tree of Size entries; the proofs are of the entry at Index and of the earlier size Old. Hashes are in base64.
type testCase struct {
	Size, Index, Old           uint64
	Leaf, Root, OldRoot        []byte
	InclusionPath, Consistency [][]byte
}

func main() {
	log.SetFlags(0)
	tree := testonly.New(hasher)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var one testCase
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			log.Fatal(err)
		}
		for tree.Size() < one.Size {
			tree.AppendData(strconv.AppendUint(nil, tree.Size(), 10))
		}
		verdict, err := json.Marshal(differences(tree, one))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(verdict))
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

// differences says what the verifier refuses, and what the tree made there would have been.
func differences(tree *testonly.Tree, one testCase) []string {
	found := []string{}
	note := func(what string, err error) {
		if err != nil {
			found = append(found, what+": "+err.Error())
		}
	}
	note("inclusion", proof.VerifyInclusion(hasher, one.Index, one.Size, one.Leaf, one.InclusionPath, one.Root))
	note("consistency", proof.VerifyConsistency(hasher, one.Old, one.Size, one.Consistency, one.OldRoot, one.Root))
	note("leaf", same([][]byte{one.Leaf}, [][]byte{tree.LeafHash(one.Index)}))
	note("roots", same([][]byte{one.Root, one.OldRoot}, [][]byte{tree.HashAt(one.Size), tree.HashAt(one.Old)}))
	inclusion, err := tree.InclusionProof(one.Index, one.Size)
	note("inclusion made there", err)
	note("inclusion path", same(one.InclusionPath, inclusion))
	consistency, err := tree.ConsistencyProof(one.Old, one.Size)
	note("consistency made there", err)
	note("consistency path", same(one.Consistency, consistency))
	return found
}

func same(ours, theirs [][]byte) error {
	if len(ours) != len(theirs) {
		return fmt.Errorf("%d hashes, there %d", len(ours), len(theirs))
	}
	for at := range ours {
		if !bytes.Equal(ours[at], theirs[at]) {
			return fmt.Errorf("hash %d is %x, there %x", at, ours[at], theirs[at])
		}
	}
	return nil
}

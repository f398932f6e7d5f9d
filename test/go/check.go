// Checks a mirror of Tenure's log with Go's own implementation of signed notes and transparent logs, which nobody of Tenure wrote:
// the checkpoints' signatures, every tile and entry, that the older checkpoint is a beginning of the newer one, and proofs.
//
//	check FOLDER VERIFIER-KEY OLDER-CHECKPOINT [PROOF...]
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	folder, key, older, proofs := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	verifier, err := note.NewVerifier(key)
	must(err)
	now := checkpoint(read(filepath.Join(folder, "checkpoint")), verifier)
	before := checkpoint(read(older), verifier)
	hashes := tlog.TileHashReader(now, tiles{folder})

	proof, err := tlog.ProveTree(now.N, before.N, hashes)
	must(err)
	must(tlog.CheckTree(proof, now.N, now.Hash, before.N, before.Hash))

	leaves := entries(folder, now.N)
	var stored []int64
	for index := range leaves {
		stored = append(stored, tlog.StoredHashIndex(0, int64(index)))
	}
	known, err := hashes.ReadHashes(stored)
	must(err)
	for index, entry := range leaves {
		expect(known[index] == tlog.RecordHash(entry), "entry %d is not the one of its leaf", index)
		expect(strings.HasPrefix(string(entry), fmt.Sprintf("tenure-event/v1\n%d\n", index)), "entry %d is of another place", index)
	}
	for _, file := range proofs {
		checkProof(string(read(file)), verifier, leaves)
	}
	fmt.Printf("%d entries, %d after an older checkpoint, %d proofs\n", now.N, now.N-before.N, len(proofs))
}

// checkpoint opens a signed note and reads what C2SP tlog-checkpoint has in it.
func checkpoint(signed []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	expect(len(lines) == 4 && lines[0] == verifier.Name() && lines[3] == "", "this is no checkpoint of %s", verifier.Name())
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	return tlog.Tree{N: size, Hash: parseHash(lines[2])}
}

// tiles are read as C2SP tlog-tiles names them: as Go does, without the height.
type tiles struct{ folder string }

func (tiles) Height() int                     { return height }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		bytes, err := os.ReadFile(filepath.Join(t.folder, "tile", path))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

// entries are those of all bundles, in order.
func entries(folder string, size int64) [][]byte {
	var all [][]byte
	for first := int64(0); first < size; first += 1 << height {
		width := size - first
		if width > 1<<height {
			width = 1 << height
		}
		tile := tlog.Tile{H: height, L: 0, N: first >> height, W: int(width)}
		path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/0/", height))
		bundle := read(filepath.Join(folder, "tile/entries", path))
		for len(bundle) > 0 {
			length := int(binary.BigEndian.Uint16(bundle))
			all = append(all, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
	}
	expect(int64(len(all)) == size, "there are %d entries of %d", len(all), size)
	return all
}

// checkProof checks what C2SP tlog-proof has: an index, the way to the root, and a checkpoint.
func checkProof(text string, verifier note.Verifier, leaves [][]byte) {
	head, signed, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	expect(lines[0] == "c2sp.org/tlog-proof@v1", "this is no proof")
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	must(err)
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		proof = append(proof, parseHash(line))
	}
	tree := checkpoint([]byte(signed), verifier)
	must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaves[index])))
}

func parseHash(text string) (hash tlog.Hash) {
	bytes, err := base64.StdEncoding.DecodeString(text)
	must(err)
	expect(len(bytes) == tlog.HashSize, "a hash has %d bytes", len(bytes))
	copy(hash[:], bytes)
	return hash
}

func read(file string) []byte {
	bytes, err := os.ReadFile(file)
	must(err)
	return bytes
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func expect(holds bool, format string, about ...any) {
	if !holds {
		must(fmt.Errorf(format, about...))
	}
}

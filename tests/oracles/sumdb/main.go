// Reads the ledger with Go's own sumdb/note and sumdb/tlog, which know nothing of the village.
//
//	sumdb log <base> <vkeys> [<old checkpoint>…]   checks a whole log
//	sumdb lines                                    answers JSON requests, one a line
//
// <base> is the log's address or an exported folder, <vkeys> a file with one verifier key a line. Built without
// modules against Debian's golang-golang-x-mod-dev; see tests/oracles/hands.py.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// checkpoint is a C2SP checkpoint: sumdb's own text begins otherwise, so its three lines are read here.
type checkpoint struct {
	origin string
	tree   tlog.Tree
}

func verifiers(vkeys []string) (note.Verifiers, error) {
	var list []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", vkey, err)
		}
		list = append(list, verifier)
	}
	return note.VerifierList(list...), nil
}

func openCheckpoint(signed []byte, known note.Verifiers) (checkpoint, error) {
	opened, err := note.Open(signed, known)
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return checkpoint{}, errors.New("a checkpoint has three lines")
	}
	if opened.Sigs[0].Name != lines[0] {
		return checkpoint{}, errors.New("the signer is not the origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return checkpoint{lines[0], tlog.Tree{N: size, Hash: root}}, err
}

// memory keeps the hashes of a tree in the order of tlog.StoredHashIndex.
type memory struct{ hashes []tlog.Hash }

func (m *memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(m.hashes)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		found[i] = m.hashes[index]
	}
	return found, nil
}

func (m *memory) add(number int64, record []byte) error {
	more, err := tlog.StoredHashes(number, record, m)
	m.hashes = append(m.hashes, more...)
	return err
}

type verdict struct {
	Origin     string   `json:"origin"`
	Size       int64    `json:"size"`
	Root       string   `json:"root"`
	Included   int64    `json:"included"`
	Consistent []int64  `json:"consistent"`
	Continues  []int64  `json:"continues"`
	Read       []string `json:"read"`
}

func checkLog(base, keyFile string, older []string) (*verdict, error) {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	known, err := verifiers(strings.Fields(string(text)))
	if err != nil {
		return nil, err
	}
	from := &source{base: strings.TrimSuffix(base, "/"), had: map[string][]byte{}}
	signed, err := from.get("checkpoint")
	if err != nil {
		return nil, err
	}
	head, err := openCheckpoint(signed, known)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	rebuilt, records, err := rebuild(from, head.tree.N)
	if err != nil {
		return nil, err
	}
	root, err := tlog.TreeHash(head.tree.N, rebuilt)
	if err != nil {
		return nil, err
	}
	if root != head.tree.Hash {
		return nil, errors.New("the entry bundles do not lead to the checkpoint's root")
	}
	tiles := tlog.TileHashReader(head.tree, from)
	said := &verdict{Origin: head.origin, Size: head.tree.N, Root: root.String()}
	if err := included(said, head.tree, tiles, records); err != nil {
		return nil, err
	}
	if err := consistent(said, head.tree, tiles, rebuilt); err != nil {
		return nil, err
	}
	for _, path := range older {
		if err := continues(said, head.tree, tiles, known, path); err != nil {
			return nil, err
		}
	}
	for path := range from.had {
		said.Read = append(said.Read, path)
	}
	sort.Strings(said.Read)
	return said, nil
}

// rebuild hashes all entries from the bundles, without a look at the hash tiles.
func rebuild(from *source, size int64) (*memory, [][]byte, error) {
	tree, records := &memory{}, [][]byte{}
	for n := int64(0); n<<height < size; n++ {
		tile := tlog.Tile{H: height, L: -1, N: n, W: 1 << height}
		if left := size - n<<height; left < 1<<height {
			tile.W = int(left)
		}
		bundle, err := from.get(path(tile))
		if err != nil {
			return nil, nil, err
		}
		entries, err := cut(bundle, tile.W)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path(tile), err)
		}
		for _, entry := range entries {
			if err := tree.add(int64(len(records)), entry); err != nil {
				return nil, nil, err
			}
			records = append(records, entry)
		}
	}
	return tree, records, nil
}

// cut takes a bundle apart: each entry stands after its length, two bytes, big-endian.
func cut(bundle []byte, width int) ([][]byte, error) {
	var entries [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 {
			return nil, errors.New("the bundle ends within a length")
		}
		length := int(bundle[0])<<8 | int(bundle[1])
		if len(bundle) < 2+length {
			return nil, errors.New("the bundle ends within an entry")
		}
		entries = append(entries, bundle[2:2+length])
		bundle = bundle[2+length:]
	}
	if len(entries) != width {
		return nil, fmt.Errorf("%d entries in place of %d", len(entries), width)
	}
	return entries, nil
}

func included(said *verdict, tree tlog.Tree, tiles tlog.HashReader, records [][]byte) error {
	for n, record := range records {
		proof, err := tlog.ProveRecord(tree.N, int64(n), tiles)
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(record))
		}
		if err != nil {
			return fmt.Errorf("entry %d is not included: %w", n, err)
		}
		said.Included++
	}
	return nil
}

func consistent(said *verdict, tree tlog.Tree, tiles tlog.HashReader, rebuilt *memory) error {
	for _, size := range []int64{1, 2, 3, 64, 255, 256, 257, tree.N / 2, tree.N - 1, tree.N} {
		if size < 1 || size > tree.N {
			continue
		}
		old, err := tlog.TreeHash(size, rebuilt)
		if err != nil {
			return err
		}
		if err := connect(tree, tiles, tlog.Tree{N: size, Hash: old}); err != nil {
			return err
		}
		said.Consistent = append(said.Consistent, size)
	}
	return nil
}

func continues(said *verdict, tree tlog.Tree, tiles tlog.HashReader, known note.Verifiers, path string) error {
	signed, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	old, err := openCheckpoint(signed, known)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := connect(tree, tiles, old.tree); err != nil {
		return err
	}
	said.Continues = append(said.Continues, old.tree.N)
	return nil
}

func connect(tree tlog.Tree, tiles tlog.HashReader, old tlog.Tree) error {
	proof, err := tlog.ProveTree(tree.N, old.N, tiles)
	if err == nil {
		err = tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
	}
	if err != nil {
		return fmt.Errorf("the log of %d does not continue that of %d: %w", tree.N, old.N, err)
	}
	return nil
}

type request struct {
	Ask     string   `json:"ask"`
	Vkeys   []string `json:"vkeys"`
	Skeys   []string `json:"skeys"`
	Note    []byte   `json:"note"`
	Text    string   `json:"text"`
	Entries [][]byte `json:"entries"`
	Receipt []byte   `json:"receipt"`
	Key     []byte   `json:"key"`
	Seed    []byte   `json:"seed"`
	Message []byte   `json:"message"`
	Sig     []byte   `json:"sig"`
}

type answer struct {
	Error       string        `json:"error,omitempty"`
	Text        []byte        `json:"text,omitempty"`
	Names       []string      `json:"names,omitempty"`
	Note        []byte        `json:"note,omitempty"`
	Roots       []tlog.Hash   `json:"roots,omitempty"`
	Inclusion   [][]tlog.Hash `json:"inclusion,omitempty"`
	Consistency [][]tlog.Hash `json:"consistency,omitempty"`
	Index       int64         `json:"index"`
	Key         []byte        `json:"key,omitempty"`
	Sig         []byte        `json:"sig,omitempty"`
	Holds       bool          `json:"holds"`
}

func lines() error {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		var asked request
		said := &answer{}
		err = json.Unmarshal(line, &asked)
		if err == nil {
			said, err = reply(asked)
		}
		if err != nil {
			said = &answer{Error: err.Error()}
		}
		if err := out.Encode(said); err != nil {
			return err
		}
	}
}

func reply(asked request) (*answer, error) {
	switch asked.Ask {
	case "open":
		return replyOpen(asked)
	case "sign":
		return replySign(asked)
	case "tree":
		return replyTree(asked)
	case "receipt":
		return replyReceipt(asked)
	case "ed25519":
		return replyEd25519(asked), nil
	}
	return nil, fmt.Errorf("cannot be asked %q", asked.Ask)
}

func replyOpen(asked request) (*answer, error) {
	known, err := verifiers(asked.Vkeys)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(asked.Note, known)
	if err != nil {
		return nil, err
	}
	said := &answer{Text: []byte(opened.Text)}
	for _, signature := range opened.Sigs {
		said.Names = append(said.Names, signature.Name)
	}
	return said, nil
}

func replySign(asked request) (*answer, error) {
	var signers []note.Signer
	for _, skey := range asked.Skeys {
		signer, err := note.NewSigner(skey)
		if err != nil {
			return nil, err
		}
		signers = append(signers, signer)
	}
	signed, err := note.Sign(&note.Note{Text: asked.Text}, signers...)
	return &answer{Note: signed}, err
}

// replyTree gives the root of every size from 1, and for the whole tree each entry's inclusion proof and the
// consistency proof from each size.
func replyTree(asked request) (*answer, error) {
	tree, said := &memory{}, &answer{}
	size := int64(len(asked.Entries))
	for n, entry := range asked.Entries {
		if err := tree.add(int64(n), entry); err != nil {
			return nil, err
		}
		root, err := tlog.TreeHash(int64(n)+1, tree)
		if err != nil {
			return nil, err
		}
		said.Roots = append(said.Roots, root)
	}
	for n := int64(0); n < size; n++ {
		inclusion, err := tlog.ProveRecord(size, n, tree)
		if err != nil {
			return nil, err
		}
		consistency, err := tlog.ProveTree(size, n+1, tree)
		if err != nil {
			return nil, err
		}
		said.Inclusion = append(said.Inclusion, inclusion)
		said.Consistency = append(said.Consistency, consistency)
	}
	return said, nil
}

// replyReceipt checks a C2SP tlog-proof of one entry.
func replyReceipt(asked request) (*answer, error) {
	known, err := verifiers(asked.Vkeys)
	if err != nil {
		return nil, err
	}
	head, signed, found := strings.Cut(string(asked.Receipt), "\n\n")
	rows := strings.Split(head, "\n")
	if !found || rows[0] != "c2sp.org/tlog-proof@v1" {
		return nil, errors.New("not a tlog-proof")
	}
	rows = rows[1:]
	if len(rows) > 0 && strings.HasPrefix(rows[0], "extra ") {
		rows = rows[1:]
	}
	if len(rows) == 0 || !strings.HasPrefix(rows[0], "index ") {
		return nil, errors.New("no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(rows[0], "index "), 10, 64)
	if err != nil {
		return nil, err
	}
	var proof tlog.RecordProof
	for _, row := range rows[1:] {
		hash, err := tlog.ParseHash(row)
		if err != nil {
			return nil, err
		}
		proof = append(proof, hash)
	}
	at, err := openCheckpoint([]byte(signed), known)
	if err != nil {
		return nil, err
	}
	if len(asked.Entries) != 1 {
		return nil, errors.New("a receipt is of one entry")
	}
	err = tlog.CheckRecord(proof, at.tree.N, at.tree.Hash, index, tlog.RecordHash(asked.Entries[0]))
	return &answer{Index: index, Holds: err == nil}, err
}

func main() {
	var err error
	switch {
	case len(os.Args) >= 4 && os.Args[1] == "log":
		var said *verdict
		said, err = checkLog(os.Args[2], os.Args[3], os.Args[4:])
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(said)
		}
	case len(os.Args) == 2 && os.Args[1] == "lines":
		err = lines()
	default:
		err = errors.New("usage: sumdb log <base> <vkeys> [<old checkpoint>…] | sumdb lines")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Checks what a log of Carnet has written with golang.org/x/mod/sumdb, which knows nothing of Carnet.
//
//	transparency inclusion KEY PROOF CONTENT         the event is in the log (C2SP tlog-proof; the salt is its extra data)
//	transparency consistency KEY CHECKPOINTS PROOF   the log only grew since an older checkpoint of the file
//	transparency checkpoints KEY CHECKPOINTS         every record of the file is signed
//	transparency export KEY EXPORT                   every event of `carnet audit export` is in the log
//	transparency tiles KEY CHECKPOINTS FOLDER        proofs of every leaf and checkpoint, made from the tiles LEVEL-INDEX
//
// KEY is a file with a verifier key. The exit code is 1, with the reason, where something does not hold.
package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("what is to be checked? see the head of main.go")
	}
	key, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return err
	}
	keys := note.VerifierList(verifier)
	octets, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	text := string(octets)
	switch args[0] + " " + strconv.Itoa(len(args)) {
	case "inclusion 4":
		return inclusion(keys, text, args[3])
	case "consistency 4":
		return consistency(keys, text, args[3])
	case "checkpoints 3":
		trees, err := checkpoints(keys, text)
		if err == nil {
			fmt.Println(len(trees), "checkpoints")
		}
		return err
	case "export 3":
		return export(keys, text)
	case "tiles 4":
		return fromTiles(keys, text, args[3])
	}
	return errors.New("what is to be checked? see the head of main.go")
}

// opened checks a note and gives the lines of its text.
func opened(keys note.Verifiers, text string) ([]string, error) {
	signed, err := note.Open([]byte(text), keys)
	if err != nil {
		return nil, err
	}
	return strings.Split(signed.Text, "\n"), nil
}

// checkpoint checks one and gives its tree.
func checkpoint(keys note.Verifiers, text string) (tree tlog.Tree, err error) {
	lines, err := opened(keys, text)
	if err != nil {
		return tree, err
	}
	if len(lines) < 4 {
		return tree, errors.New("a checkpoint of less than three lines")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// checkpoints checks all records of a file and gives the trees of its checkpoints.
func checkpoints(keys note.Verifiers, file string) ([]tlog.Tree, error) {
	paragraphs := strings.Split(file, "\n\n")
	if len(paragraphs)%2 == 0 || paragraphs[len(paragraphs)-1] != "" {
		return nil, errors.New("the last record is not whole")
	}
	var trees []tlog.Tree
	for i := 0; i+1 < len(paragraphs); i += 2 {
		text := paragraphs[i] + "\n\n" + paragraphs[i+1] + "\n"
		lines, err := opened(keys, text)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", i/2+1, err)
		}
		if strings.HasSuffix(lines[0], " restore") {
			continue
		}
		tree, err := checkpoint(keys, text)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", i/2+1, err)
		}
		trees = append(trees, tree)
	}
	return trees, nil
}

// proof reads lines of the form "word number", hashes, an empty line and a checkpoint.
func proof(keys note.Verifiers, word, text string) (number int64, hashes []tlog.Hash, tree tlog.Tree, err error) {
	cut := strings.Index(text, "\n\n")
	if cut < 0 {
		return 0, nil, tree, errors.New("a proof without a checkpoint")
	}
	lines := strings.Split(text[:cut], "\n")
	if number, err = strconv.ParseInt(strings.TrimPrefix(lines[0], word+" "), 10, 64); err != nil {
		return 0, nil, tree, err
	}
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, tree, err
		}
		hashes = append(hashes, hash)
	}
	tree, err = checkpoint(keys, text[cut+2:])
	return number, hashes, tree, err
}

func inclusion(keys note.Verifiers, text, contentFile string) error {
	content, err := os.ReadFile(contentFile)
	if err != nil {
		return err
	}
	lines := strings.SplitN(text, "\n", 3)
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") {
		return errors.New("not a proof of inclusion with a salt")
	}
	salt, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, hashes, tree, err := proof(keys, "index", lines[2])
	if err != nil {
		return err
	}
	leaf := tlog.RecordHash(append(salt, content...))
	if err := tlog.CheckRecord(hashes, tree.N, tree.Hash, index, leaf); err != nil {
		return err
	}
	fmt.Println("event", index, "is in the log of", tree.N)
	return nil
}

// export checks every event of an export. One that was blanked has its leaf and nothing else.
func export(keys note.Verifiers, text string) error {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 2 {
		return errors.New("an export of less than two lines")
	}
	var head struct{ Format, Checkpoint string }
	if err := json.Unmarshal([]byte(lines[0]), &head); err != nil {
		return err
	}
	if head.Format != "carnet-audit-export/1" {
		return fmt.Errorf("the format %q", head.Format)
	}
	tree, err := checkpoint(keys, head.Checkpoint)
	if err != nil {
		return err
	}
	for i, line := range lines[1 : len(lines)-1] {
		if err := exported(tree, line); err != nil {
			return fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	var tail struct{ Events *int }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &tail); err != nil {
		return err
	}
	if tail.Events == nil || *tail.Events != len(lines)-2 {
		return errors.New("lines are missing")
	}
	fmt.Println(*tail.Events, "events are in the log of", tree.N)
	return nil
}

func exported(tree tlog.Tree, line string) error {
	var event struct {
		Position      int64
		Salt          []byte
		Content, Leaf *string
		Proof         []string
	}
	if err := json.Unmarshal([]byte(line), &event); err != nil {
		return err
	}
	var leaf tlog.Hash
	var err error
	switch {
	case event.Content != nil && len(event.Salt) == 16:
		leaf = tlog.RecordHash(append(event.Salt, *event.Content...))
	case event.Leaf != nil:
		if leaf, err = tlog.ParseHash(*event.Leaf); err != nil {
			return err
		}
	default:
		return errors.New("neither a salt with a content nor a leaf")
	}
	var proof []tlog.Hash
	for _, text := range event.Proof {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, event.Position, leaf)
}

func consistency(keys note.Verifiers, file, proofFile string) error {
	octets, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	old, hashes, tree, err := proof(keys, "old", string(octets))
	if err != nil {
		return err
	}
	trees, err := checkpoints(keys, file)
	if err != nil {
		return err
	}
	for _, older := range trees {
		if older.N == old {
			if err := tlog.CheckTree(hashes, tree.N, tree.Hash, older.N, older.Hash); err != nil {
				return err
			}
			fmt.Println("the log of", tree.N, "begins with that of", older.N)
			return nil
		}
	}
	return fmt.Errorf("no checkpoint of %d leaves", old)
}

// tiles of a folder, as the log stores them.
type tiles string

func (tiles) Height() int                         { return 8 }
func (tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (folder tiles) ReadTiles(wanted []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range wanted {
		octets, err := os.ReadFile(filepath.Join(string(folder), fmt.Sprintf("%d-%d", tile.L, tile.N)))
		if err != nil {
			return nil, err
		}
		if len(octets) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %d of level %d is too short", tile.N, tile.L)
		}
		data = append(data, octets[:tile.W*tlog.HashSize])
	}
	return data, nil
}

// fromTiles makes and checks every proof of the last tree of the file. The reader of tiles checks each against its root.
func fromTiles(keys note.Verifiers, file, folder string) error {
	trees, err := checkpoints(keys, file)
	if err != nil {
		return err
	}
	if len(trees) == 0 {
		return errors.New("no checkpoint")
	}
	last := trees[len(trees)-1]
	reader := tlog.TileHashReader(last, tiles(folder))
	for index := int64(0); index < last.N; index++ {
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		hashes, err := tlog.ProveRecord(last.N, index, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(hashes, last.N, last.Hash, index, leaf[0]); err != nil {
			return fmt.Errorf("event %d: %w", index, err)
		}
	}
	for _, older := range trees {
		hashes, err := tlog.ProveTree(last.N, older.N, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(hashes, last.N, last.Hash, older.N, older.Hash); err != nil {
			return fmt.Errorf("checkpoint of %d: %w", older.N, err)
		}
	}
	fmt.Println("tiles of", last.N, "events and", len(trees), "checkpoints")
	return nil
}

// Reads a log with Go's own golang.org/x/mod/sumdb: checks the checkpoint's signature with sumdb/note, and with
// sumdb/tlog the tree from its tiles, one entry in it, and that it extends an earlier size.
//
//	gotlog URL VKEY INDEX OLD_SIZE
//
// Prints the size, the root and the entry, or fails.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	log.SetFlags(0)
	base, vkey := strings.TrimRight(os.Args[1], "/"), os.Args[2]
	index, oldSize := number(os.Args[3]), number(os.Args[4])

	verifier, err := note.NewVerifier(vkey)
	check(err)
	opened, err := note.Open(fetch(base+"/checkpoint"), note.VerifierList(verifier))
	check(err)
	// tlog.ParseTree wants the header of go.sum's database; a C2SP checkpoint has an origin there.
	lines := strings.SplitN(opened.Text, "\n", 4)
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		log.Fatalf("not a checkpoint: %q", opened.Text)
	}
	size := number(lines[1])
	root, err := tlog.ParseHash(lines[2])
	check(err)

	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, &tiles{base})
	tree, err := tlog.TreeHash(size, hashes)
	check(err)
	if tree != root {
		log.Fatalf("the tiles lead to %v, the checkpoint says %v", tree, root)
	}

	entry := readEntry(base, index, size)
	proof, err := tlog.ProveRecord(size, index, hashes)
	check(err)
	check(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(entry)))

	if oldSize > 0 {
		oldRoot, err := tlog.TreeHash(oldSize, hashes)
		check(err)
		consistency, err := tlog.ProveTree(size, oldSize, hashes)
		check(err)
		check(tlog.CheckTree(consistency, size, root, oldSize, oldRoot))
	}
	fmt.Printf("%d %s %s\n", size, hex.EncodeToString(root[:]), hex.EncodeToString(entry))
}

// tiles reads C2SP paths, which are Go's without the height, and with "entries" for "data".
type tiles struct{ base string }

func (t *tiles) Height() int { return height }

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		found = append(found, fetch(t.base+"/"+path(tile)))
	}
	return found, nil
}

// SaveTiles is called with tiles that were checked; nothing is kept here.
func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func path(tile tlog.Tile) string {
	name := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return strings.Replace(name, "tile/data/", "tile/entries/", 1)
}

func readEntry(base string, index, size int64) []byte {
	tile := tlog.Tile{H: height, L: -1, N: index >> height, W: 1 << height}
	if rest := size - tile.N<<height; rest < 1<<height {
		tile.W = int(rest)
	}
	bundle := fetch(base + "/" + path(tile))
	for skip := index - tile.N<<height; skip > 0; skip-- {
		bundle = bundle[2+binary.BigEndian.Uint16(bundle):]
	}
	return bundle[2 : 2+binary.BigEndian.Uint16(bundle)]
}

func fetch(url string) []byte {
	answer, err := http.Get(url)
	check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	check(err)
	if answer.StatusCode != http.StatusOK {
		log.Fatalf("%s: %s", url, answer.Status)
	}
	return body
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

package main

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const longest = 256 * (2 + 65535)

// source reads what a log publishes, from its address or from an exported folder. It is a tlog.TileReader.
type source struct {
	base string
	had  map[string][]byte
}

var client = &http.Client{Timeout: 20 * time.Second}

func (s *source) get(name string) ([]byte, error) {
	if data, ok := s.had[name]; ok {
		return data, nil
	}
	var data []byte
	var err error
	if strings.HasPrefix(s.base, "http://") || strings.HasPrefix(s.base, "https://") {
		data, err = fetch(s.base + "/" + name)
	} else {
		data, err = os.ReadFile(filepath.Join(s.base, filepath.FromSlash(name)))
	}
	if err == nil {
		s.had[name] = data
	}
	return data, err
}

func fetch(url string) ([]byte, error) {
	response, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, longest))
}

// path is a tile's address in C2SP's spelling: sumdb's has the height in front, and calls entries data.
func path(tile tlog.Tile) string {
	name := strings.TrimPrefix(tile.Path(), "tile/8/")
	if strings.HasPrefix(name, "data/") {
		name = "entries/" + strings.TrimPrefix(name, "data/")
	}
	return "tile/" + name
}

func (s *source) Height() int { return height }

func (s *source) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := s.get(path(tile))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path(tile), len(data))
		}
		found[i] = data
	}
	return found, nil
}

func (s *source) SaveTiles([]tlog.Tile, [][]byte) {}

func replyEd25519(asked request) *answer {
	if len(asked.Seed) == ed25519.SeedSize {
		private := ed25519.NewKeyFromSeed(asked.Seed)
		return &answer{Key: private[32:], Sig: ed25519.Sign(private, asked.Message)}
	}
	good := len(asked.Key) == ed25519.PublicKeySize && ed25519.Verify(asked.Key, asked.Message, asked.Sig)
	return &answer{Holds: good}
}

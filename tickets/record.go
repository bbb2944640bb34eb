package tickets

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
)

// A record is what stands in a bucket: one byte of version, a CRC-32C of the payload, and the payload as JSON. bbolt's
// data pages carry no checksum: without this a flipped bit would be read as data (S-163).

const recordVersion = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged is wrapped with the bucket and the key.
var errDamaged = errors.New("damaged record")

func encodeRecord(v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	b := make([]byte, 5, 5+len(payload))
	b[0] = recordVersion
	binary.BigEndian.PutUint32(b[1:5], crc32.Checksum(payload, castagnoli))
	return append(b, payload...), nil
}

// decodeRecord reads a record, linked or not.
func decodeRecord(b []byte, v any) error {
	payload, _, err := payloadOf(b)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(payload, v); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}

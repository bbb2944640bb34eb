package tickets

import bolt "go.etcd.io/bbolt"

// trimEvery is how many writes a database's mapped pages may pile up over.
const trimEvery = 4

// trimmer gives back the pages of a database that were mapped in by reading: they stay in the system's cache and count
// no longer as memory of the process. Its zero value is ready; only the goroutine that writes to the database uses it,
// because a write may move the mapping.
type trimmer struct{ writes int }

// wrote is told of every write.
func (t *trimmer) wrote(db *bolt.DB) {
	if t.writes++; t.writes%trimEvery == 0 {
		releasePages(db)
	}
}

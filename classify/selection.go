package classify

import (
	"math/bits"
	"slices"
)

// selection finds those of a list of conditions that can be true of a message, without a look at the others. It leaves
// out nothing that holds: a condition is found by a value or a word that it cannot do without, or is always tried.
type selection struct {
	values map[slot]map[string][]int
	words  map[int][]int
	always []int
}

// need is something that a condition cannot be true without.
type need struct {
	slot slot // when word is -1
	text string
	word int
}

func newSelection(conditions []*node) *selection {
	sel := &selection{values: map[slot]map[string][]int{}, words: map[int][]int{}}
	for i, n := range conditions {
		needs := n.needs()
		if needs == nil {
			sel.always = append(sel.always, i)
		}
		for _, nd := range needs {
			if nd.word >= 0 {
				sel.words[nd.word] = append(sel.words[nd.word], i)
				continue
			}
			if sel.values[nd.slot] == nil {
				sel.values[nd.slot] = map[string][]int{}
			}
			sel.values[nd.slot][nd.text] = append(sel.values[nd.slot][nd.text], i)
		}
	}
	return sel
}

// needs lists things of which the condition needs one, or nil when there are none that can be looked up.
func (n *node) needs() []need {
	var list []need
	switch {
	case n.op == opIs && n.header == "":
		for _, v := range n.values {
			list = append(list, need{slot: n.slot, text: v, word: -1})
		}
	case n.op == opWords && n.scope != inField:
		for _, id := range n.ids {
			list = append(list, need{word: id})
		}
	case n.op == opAll:
		for _, kid := range n.kids {
			// What many messages share, such as the language, tells little: anything else is better.
			if some := kid.needs(); some != nil && (list == nil || kid.slot != slotLanguage && kid.slot != slotSenderKind) {
				list = some
			}
		}
	case n.op == opAny:
		for _, kid := range n.kids {
			some := kid.needs()
			if some == nil {
				return nil
			}
			list = append(list, some...)
		}
	}
	return list
}

// candidates returns the indexes of the conditions that can be true, in order.
func (sel *selection) candidates(s *state) []int {
	list := slices.Clone(sel.always)
	for at, values := range sel.values {
		for _, key := range s.values[at].keys {
			list = append(list, values[key]...)
		}
	}
	if len(sel.words) > 0 {
		t := s.text()
		for i := range t.inSubject {
			for set := t.inSubject[i] | t.inBody[i]; set != 0; set &= set - 1 {
				list = append(list, sel.words[i*64+bits.TrailingZeros64(set)]...)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

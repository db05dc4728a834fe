// Licence text, not documentation.

// Package shapes draws.
package shapes

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	_ "embed"
	. "math"
	"gopkg.in/yaml.v2"
	"k8s.io/klog/v2"
)

import "github.com/mattn/go-isatty"

// Kind is a kind.
type Kind int

// Kinds.
const (
	// Round has no corners.
	Round Kind = iota
	Square // trailing
	hidden
)

const Single, Other = 1, "x"

var (
	// Default is used.
	Default, second = &Shape{Name: "x"}, Round
	table = map[Kind]string{Round: "round"}
)

type (
	// Shape is a shape.
	//
	// Deprecated: use Figure.
	Shape struct {
		Base
		*metav1.ObjectMeta `json:"meta"`
		// Name of it.
		Name, Title string `json:"name"`
		kind        Kind
		points      []Point[float64]
		inner       struct{ X int }
	}
	Base  struct{ ID string }
	Alias = Shape
)

// Figure can draw.
type Figure interface {
	fmt.Stringer
	Drawer
	// Draw draws.
	Draw(on Canvas, at ...Point[int]) (n int, err error)
	kind() Kind
}

type Drawer interface{ Erase() }

type Number interface{ ~int | ~float64 }

type Point[T Number] struct{ X, Y T }

type Handler func(s *Shape) error

func (p *Point[T]) Add(q Point[T]) Point[T] {
	p.X += q.X
	return Point[T]{X: p.X, Y: p.Y}
}

// Draw implements Figure.
func (s *Shape) Draw(on Canvas) (n int, err error) {
	s.draw(s.Name, s.ID)
	s.points[0].Add(Point[float64]{1, 2})
	fmt.Println(strings.ToUpper(s.Title), yaml.Marshal(s), klog.V(2), isatty.IsTerminal(1))
	return s.kind.value(), nil
}

func (s Shape) draw(name, id string) {}

func (Kind) value() int { return 0 }

func (f Foreign) Method() { f.Method() }

func Map[K comparable, V any](m map[K]V, f func(K) V) []V {
	var out []V
	for k := range m {
		out = append(out, f(k))
	}
	return out
}

func New() Figure { return Map[string, Figure](nil, nil)[0] }

func TestShape(t *testing.T) {
	cases := []struct {
		name string
		want Kind
	}{
		{name: "a", want: Round},
		{"b", Square},
	}
	shapes := []Shape{{Name: "x", kind: Round}}
	named := Named{Default: second}
	t.Run(cases[0].name, func(t *testing.T) { _ = shapes; _ = named })
}

func TestingHelper() {}

func ExampleShape() { Map[string, Kind](nil, nil); ptr.To[int32](1); _ = Alias(Shape{}) }

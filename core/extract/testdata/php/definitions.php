<?php

declare(strict_types=1);

namespace App\Model;

/** How many. */
const LIMIT = 10, OTHER = LIMIT + 1;

/** Where it lies. */
define('ROOT', __DIR__);

/** A shape. */
interface Shape extends \Countable
{
    const SIDES = 0;

    /** Its area. */
    public function area(): float;
}

trait Named
{
    protected string $name = 'none';

    public function name(): string
    {
        return $this->name;
    }
}

/**
 * The base of all.
 *
 * @deprecated use Shape
 */
abstract class Base implements Shape
{
    protected static int $count = 0;

    abstract protected function draw(Base $on): void;

    public static function made(): int
    {
        return self::$count + static::SIDES;
    }
}

#[Attribute(Attribute::TARGET_CLASS)]
final class Circle extends Base
{
    use Named;

    /** Half of pi, roughly. */
    private const float HALF = 1.57, TWICE = 6.28;

    /** @var float|null */
    private ?float $area = null, $edge;

    var $old;

    #[Deprecated]
    public readonly int $id;

    public function __construct(
        /** How far. */
        private readonly float $radius,
        protected array &$points = [],
        int ...$rest
    ) {
        parent::__construct();
        $this->area ??= self::HALF * $radius ** 2;
        self::$count++;
    }

    protected function draw(Base $on): void
    {
        $on->draw($this);
        $this->draw($on);
        echo $this->name(), $this->radius, parent::made(), static::TWICE;
    }

    function each(): iterable
    {
        yield $this->id;
        $all = function () {
            yield 1;
        };
    }

    function plain()
    {
        return fn() => (function () { yield 2; })();
    }
}

enum Suit: string implements Shape
{
    use Named;

    case Hearts = 'H';
    case Spades = 'S';

    const Wild = self::Spades;

    public static function any(): self
    {
        return self::Hearts;
    }
}

function area(Shape $of, Circle|Base|null $more = null): ?Shape
{
    return new Circle($of->area(), points: [LIMIT]);
}

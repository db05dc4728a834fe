<?php

$top = 1;
/** The names. */
$names = ['a' => 1];

function scopes($first, &$second)
{
    global $top;
    static $calls = 0, $last;
    $calls++;
    echo $names;
    $local = $first . $GLOBALS['x'];
    $list[] = $local;
    [$a, 'k' => $b, [$c]] = $second;
    list($d, $e) = $list;
    foreach ($list as $key => $value) {
        $value .= $key;
    }
    foreach ($a as ['x' => $x, 'y' => $y]) echo $x, $y;
    foreach ($b as &$c) foreach ($c as $inner) unset($inner);
    try {
        $late->run();
    } catch (First | Second $error) {
        throw $error;
    } finally {
        $late = null;
    }
    $closure = function ($value) use ($local, &$unset) {
        $own = $value . $local . $first;
        $local = 2;
        return $unset;
    };
    $arrow = fn(int $n): int => $n + $local;
    $copy = &$local;
    $$local = 1;
    ${'x' . $local} = 2;
    return "$local {$a['k']} $first->name ${copy}" . <<<TEXT
        $value and {$closure($first)}
        TEXT;
}

function local()
{
    return $local . $top . scopes(local(), $x, second: 1);
}

start:
if ($top instanceof stdClass) {
    goto start;
}

class Lone
{
    private $list = [];
    public static $shared;

    function add($item, $name)
    {
        $this->list[] = $item;
        $this->$name = $item;
        $this->$name();
        $this->{$name . 'x'}(1);
        $other->list = static::$shared;
        $this->other->list = self::$shared[0];
        Lone::$shared = Lone::class;
        $made = new class($item) extends Lone implements First {
            public $list;
            private $mine;
            function add($item, $name)
            {
                $this->mine = $this->shared;
                return parent::add($item, $name);
            }
        };
        $_GET['a'] = $this;
        $this['a'] = new $name(new static, new self());
        return $this->add(new Lone, 1)->list;
    }
}

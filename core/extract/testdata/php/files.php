<?php
require 'config.php';
require_once("lib/tools.php");
include __DIR__ . '/view.php';
include $path;

#[Deprecated]
function old(): void {}

class Holder
{
    #[\Deprecated("use other")]
    public const OLD = 1;

    #[Deprecated]
    public function make()
    {
        require_once 'inside.php';
        return new class(1) extends Base implements Countable {
            private $count = 0;
            public function count(): int
            {
                $local = self::LIMIT;
                return $this->count;
            }
            const LIMIT = 3;
        };
    }
}

$plain = new class {
    public function run() { return new class { public $inner; }; }
};

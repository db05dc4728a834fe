<?php

namespace App {

    use Vendor\Base;
    use Vendor\Package\{Client, Server as Host, function connect, Inner\Deep};
    use \Rooted\Name;
    use function Vendor\helper, Vendor\other as renamed;
    use const Vendor\LIMIT;
    use Single;
    use Symfony\Validator as Assert;

    class Thing extends Base implements Single
    {
        #[Assert\NotBlank(message: LIMIT)]
        public Client $client;

        public function run(Host $host, Deep\Er $er): \Vendor\Result
        {
            helper();
            renamed(LIMIT);
            connect($host);
            \strlen('x');
            Client::make()->go();
            namespace\local();
            Assert\check(\Vendor\FLAG, Base);
            new \App\Thing();
            return Name::LIMIT;
        }

        public function helper()
        {
            return [Thing::class, $this->helper(...), self::helper()];
        }
    }

    function local() {}
}

namespace App\Sub {

    class Thing {}

    $thing = new Thing;
}

namespace {
    function local() { return local(); }
}
